"""Who is at the page: customers prove it by something only they know, or by a code sent to a known address."""
