"""What the marketplace's API and pages take and give."""
