"""Tables, figures and numbers of a verdict."""
