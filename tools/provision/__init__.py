"""Provisioning: what makes a tenant, a broker and meters, and takes a meter out of service."""
