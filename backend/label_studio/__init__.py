"""The traffic with Label Studio: connection, push, sync, making a lost project anew."""
