"""Which models work on a task, what they are told of it in pictures, and what is known of them."""
