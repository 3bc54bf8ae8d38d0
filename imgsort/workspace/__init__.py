"""What a user calls a workspace: its folders, its configuration, its class names."""
