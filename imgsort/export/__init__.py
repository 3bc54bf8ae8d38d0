"""The log for other programs: a spreadsheet, a Camtrap DP."""
