"""Who is about to leave: what is known of a user as numbers, and models that learn from them as time passes."""
