"""How each schema came to be, step by step, forward only. A step that was released is never edited."""
