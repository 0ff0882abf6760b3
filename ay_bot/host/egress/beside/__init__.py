"""The program beside a box with a door. It runs alone, outside of the box: only the standard library and itself."""
