"""EST (RFC 7030): how certificates are asked for and handed out."""
