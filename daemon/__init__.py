"""The wing that watches the inbox, predicts and files."""
