"""Provisioning: what makes a tenant, its broker and its meters, and takes a meter out of service."""
