"""What a user would run instead, each as that user would write it."""
