"""Pages of a fax to what they are taken for: read by locked children, some at a time, and put together outside."""
