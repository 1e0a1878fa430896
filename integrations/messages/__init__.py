"""The neighbour "messages": content becomes a message in words from files, and a message is handed to one channel."""
