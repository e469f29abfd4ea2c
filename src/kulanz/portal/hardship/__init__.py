"""The way for people who are short of money: a short budget, what is out of reach, rest, a small plan, advice."""
