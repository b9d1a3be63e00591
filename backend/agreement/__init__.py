"""How far people agree, and how well each of them works; shown to leads only."""
