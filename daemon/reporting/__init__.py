"""What the daemon tells of itself: progress for its log and `status`, metrics for Prometheus."""
