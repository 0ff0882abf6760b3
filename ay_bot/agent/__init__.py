"""The agent room: what runs inside the box, holding nothing worth stealing."""
