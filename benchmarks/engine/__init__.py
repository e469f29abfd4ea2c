"""The engine against its peers: decisions and learning per CPU second, rewards on real logs, a simulated year."""
