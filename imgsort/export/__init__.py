"""The log in the forms of other programs: a spreadsheet, a Camtrap DP (`log --output`)."""
