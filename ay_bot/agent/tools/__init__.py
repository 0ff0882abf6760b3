"""The tools that the model may call; each is told of by hand-written words and answers with text."""
