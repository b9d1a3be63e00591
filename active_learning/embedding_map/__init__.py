"""A pool's embeddings as points in a plane, and as short codes that are quick to compare."""
