"""What a run of ay-bot costs besides the model: time, memory and tokens, measured on this machine."""
