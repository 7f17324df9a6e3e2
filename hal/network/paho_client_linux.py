"""A paho-mqtt client for one connection: MQTT 3.1.1, clean session."""

import socket

from paho.mqtt import client as mqtt


def new_client(client_id, will, login, tls):
    """A paho client, not connected. `will` is (topic or None, payload), sent retained at QoS 1.

    `login` is (user or None, password); `tls` an ssl.SSLContext or None.
    """
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        protocol=mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    topic, payload = will
    if topic is not None:
        client.will_set(topic, payload, qos=1, retain=True)
    user, password = login
    if user is not None:
        client.username_pw_set(user, password)
    if tls is not None:
        client.tls_set_context(tls)
    # With a writer registered paho leaves every write to the loop; without, publish() writes to
    # the socket from the caller's thread, and two threads could tear a packet apart.
    client.on_socket_register_write = _leave_to_loop
    client.on_socket_open = _send_at_once
    return client


def shut(client):
    """Close the socket a client (or None) still holds; without a goodbye the will is sent."""
    sock = client.socket() if client is not None else None
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


def _send_at_once(client, userdata, sock):
    """Small packets otherwise wait 40 ms for the peer's delayed ACK (Nagle)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_to_loop(client, userdata, sock):
    """Nothing to do: the loop itself looks for what waits to be written."""
