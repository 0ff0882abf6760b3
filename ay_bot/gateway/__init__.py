"""The gateway room: it alone holds model keys and speaks to model providers."""
