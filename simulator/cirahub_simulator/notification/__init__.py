"""Change notifications of Graph: who wants to hear of what, and how it reaches them."""
