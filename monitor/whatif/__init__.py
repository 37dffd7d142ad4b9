"""What other limits would have raised: stored sessions through the real ward again. It only reads."""
