"""What `rekindle demo` starts by itself, so that a first look needs neither Docker nor Java."""
