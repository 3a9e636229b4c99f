"""Who may enter what: certificates, logins and rights, made before anything runs and read by brokers and stores."""
