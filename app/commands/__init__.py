"""The commands of `rekindle`, one a file: options and help texts, and the errors that users make."""
