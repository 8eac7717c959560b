"""The driver's and technician's page: its server, its texts, and what it may ask for."""
