"""The pages of docs/safety that are drawn and never typed: `make safety` writes them."""
