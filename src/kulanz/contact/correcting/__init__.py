"""The customer's right to have data put right (Art. 16 GDPR)."""
