"""What is in a repository and where: definitions by file, an order of files for a question, a map within a budget."""
