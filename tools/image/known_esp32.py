"""Names that the ESP32's port of MicroPython 1.29 has, by module: what its modules and
their classes hold, as micropython-esp32-stubs 1.29.0.post1 lists it; of asyncio, ssl and sys what
they hold in the interpreter itself and CPython's do not.
"""

NAMES = {
    "_thread": (
        "LockType acquire allocate_lock exit get_ident locked release stack_size start_new_thread"
    ),
    "asyncio": (
        "IOQueue Loop SingletonGenerator Stream TaskQueue ThreadSafeFlag aclose awrite awritestr "
        "core cur_task event push queue_read queue_write stream stream_awrite ticks wait_for_ms "
        "wait_io_event"
    ),
    "cryptolib": ("MODE_CBC MODE_CTR MODE_ECB aes decrypt encrypt"),
    "esp32": (
        "BOOT DECREMENT HEAP_DATA HEAP_EXEC HOLD IGNORE INCREMENT IRQ_MAX IRQ_MIN "
        "IRQ_THRESHOLD0 IRQ_THRESHOLD1 IRQ_ZERO NORMAL NVS PCNT PULSE_MAX Partition "
        "RESERVE_MEM REVERSE RMT RUNNING TYPE_APP TYPE_DATA ULP WAKEUP_ALL_LOW "
        "WAKEUP_ANY_HIGH active bitstream_channel bitstream_rmt clock_div commit deinit "
        "erase_key find get_blob get_i32 get_next_update idf_heap_info info init ioctl irq "
        "load_binary loop loop_count mark_app_valid_cancel_rollback raw_temperature "
        "readblocks run set_blob set_boot set_i32 set_wakeup_period source_freq start stop "
        "value wait_done wake_on_ext0 wake_on_ext1 wake_on_gpio wake_on_touch wake_on_ulp "
        "write_pulses writeblocks"
    ),
    "framebuf": (
        "FrameBuffer FrameBuffer1 GS2_HMSB GS4_HMSB GS8 MONO_HLSB MONO_HMSB MONO_VLSB MVLSB "
        "RGB565 blit ellipse fill fill_rect hline line pixel poly rect scroll text vline"
    ),
    "gc": ("collect disable enable isenabled mem_alloc mem_free threshold"),
    "machine": (
        "ADC ADCBlock ADCWiPy ALARM0 ALT ALT_OPEN_DRAIN ANALOG ATTN_0DB ATTN_11DB ATTN_2_5DB "
        "ATTN_6DB CONTROLLER CORE_TEMP CORE_VBAT CORE_VREF CTS Counter DAC DECREMENT "
        "DEEPSLEEP DEEPSLEEP_RESET DOWN DRIVE_0 DRIVE_1 DRIVE_2 DRIVE_3 EXT0_WAKE EXT1_WAKE "
        "Encoder FALLING HARD_RESET HOLD I2C I2S IDLE ID_T IGNORE IN INCREMENT INV_CTS "
        "INV_RTS INV_RX INV_TX IRQ_BREAK IRQ_FALLING IRQ_HIGH_LEVEL IRQ_INDEX IRQ_LOW_LEVEL "
        "IRQ_MATCH IRQ_MAX IRQ_MIN IRQ_RESET IRQ_RISING IRQ_ROLL_OVER IRQ_ROLL_UNDER IRQ_RX "
        "IRQ_RXIDLE IRQ_THRESHOLD0 IRQ_THRESHOLD1 IRQ_TXIDLE IRQ_ZERO LSB MONO MSB NORMAL "
        "ONE_SHOT OPEN_DRAIN OUT PERIODIC PIN_WAKE PULL_DOWN PULL_HOLD PULL_UP PWM "
        "PWRON_RESET Pin REVERSE RISING RTC RTC_WAKE RTS RX SDCard SLEEP SOFT_RESET SPI "
        "STEREO Signal SoftI2C SoftSPI TIMER_WAKE TOUCHPAD_WAKE TX Timer TouchPad UART "
        "ULP_WAKE UP VREF WAKE_HIGH WAKE_LOW WDT WDT_RESET WIDTH_10BIT WIDTH_11BIT "
        "WIDTH_12BIT WIDTH_13BIT WIDTH_9BIT WLAN_WAKE alarm any atten bitstream block board "
        "channel config connect const datetime deepsleep deinit dht_readinto disable_irq "
        "drive duty duty_ns duty_u16 enable_irq feed flush freq idle info init ioctl irq "
        "lightsleep mem16 mem32 mem8 mem_backup memory mode off on phases pull read read_u16 "
        "read_uv readblocks readfrom readfrom_into readfrom_mem readfrom_mem_into readinto "
        "readline reset reset_cause scan sendbreak shift sleep soft_reset start stop "
        "time_pulse_us toggle txdone unique_id value wake_pins wake_reason width write "
        "write_readinto writeblocks writeto writeto_mem writevto"
    ),
    "micropython": (
        "Const_T RingIO alloc_emergency_exception_buf any asm_thumb asm_xtensa close const "
        "heap_lock heap_unlock kbd_intr mem_info native opt_level qstr_info read readinto "
        "readline schedule stack_use viper write"
    ),
    "network": (
        "AP_IF AUTH_CHAP AUTH_MAX AUTH_NONE AUTH_OPEN AUTH_OWE AUTH_PAP AUTH_WAPI_PSK "
        "AUTH_WEP AUTH_WPA2_ENTERPRISE AUTH_WPA2_PSK AUTH_WPA2_WPA3_PSK AUTH_WPA3_ENT_192 "
        "AUTH_WPA3_EXT_PSK AUTH_WPA3_EXT_PSK_MIXED_MODE AUTH_WPA3_PSK AUTH_WPA_PSK "
        "AUTH_WPA_WPA2_PSK AbstractNIC BANDWIDTH_160 BANDWIDTH_20 BANDWIDTH_40 BANDWIDTH_80 "
        "BANDWIDTH_80_80 ETH_CONNECTED ETH_DISCONNECTED ETH_GOT_IP ETH_INITIALIZED "
        "ETH_STARTED ETH_STOPPED IF_AP IF_STA LAN MODE_11B MODE_11G MODE_11N MODE_LR "
        "PHY_DM9051 PHY_DP83848 PHY_GENERIC PHY_IP101 PHY_KSZ8041 PHY_KSZ8081 PHY_KSZ8851SNL "
        "PHY_LAN8670 PHY_LAN8710 PHY_LAN8720 PHY_RTL8201 PHY_W5500 PM_NONE PM_PERFORMANCE "
        "PM_POWERSAVE PPP PROTOCOL_DEFAULT PROTOCOL_LR SEC_CHAP SEC_DPP SEC_NONE SEC_OPEN "
        "SEC_OWE SEC_PAP SEC_WAPI SEC_WEP SEC_WPA SEC_WPA2 SEC_WPA2_ENT SEC_WPA2_WPA3 "
        "SEC_WPA2_WPA3_ENT SEC_WPA3 SEC_WPA3_ENT SEC_WPA3_ENT_192 SEC_WPA3_EXT_PSK "
        "SEC_WPA3_EXT_PSK_MIXED_MODE SEC_WPA_ENT SEC_WPA_WPA2 STAT_ASSOC_FAIL "
        "STAT_BEACON_TIMEOUT STAT_CONNECTING STAT_CONNECT_FAIL STAT_GOT_IP "
        "STAT_HANDSHAKE_TIMEOUT STAT_IDLE STAT_NO_AP_FOUND "
        "STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD "
        "STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY STAT_WRONG_PASSWORD STA_IF WLAN WLANWiPy "
        "active antenna auth channel config connect country csi_available csi_disable "
        "csi_dropped csi_enable csi_read disconnect hostname ifconfig ipconfig isconnected "
        "mac mode phy_mode poll scan ssid status"
    ),
    "select": ("POLLERR POLLHUP POLLIN POLLOUT ipoll modify poll register select unregister"),
    "socket": (
        "AF_INET AF_INET6 IPPROTO_IP IPPROTO_SEC IPPROTO_TCP IPPROTO_UDP IP_ADD_MEMBERSHIP "
        "MSG_DONTWAIT MSG_PEEK SOCK_DGRAM SOCK_RAW SOCK_STREAM SOL_SOCKET SO_BINDTODEVICE "
        "SO_BROADCAST SO_REUSEADDR Socket TCP_NODELAY accept bind close connect fileno "
        "getaddrinfo listen makefile read readinto readline recv recvfrom send sendall sendto "
        "setblocking setsockopt settimeout socket write"
    ),
    "ssl": ("tls"),
    "sys": ("atexit print_exception"),
    "time": (
        "gmtime localtime mktime sleep sleep_ms sleep_us ticks_add ticks_cpu ticks_diff "
        "ticks_ms ticks_us time time_ns"
    ),
    "tls": (
        "CERT_NONE CERT_OPTIONAL CERT_REQUIRED MBEDTLS_VERSION PROTOCOL_DTLS_CLIENT "
        "PROTOCOL_DTLS_SERVER PROTOCOL_TLS_CLIENT PROTOCOL_TLS_SERVER SSLContext get_ciphers "
        "load_cert_chain load_verify_locations set_ciphers wrap_socket"
    ),
    "vfs": (
        "AbstractBlockDev VfsFat VfsLfs2 chdir getcwd ilistdir ioctl mkdir mkfs mount open "
        "readblocks remove rename rmdir rom_ioctl stat statvfs umount writeblocks"
    ),
}
