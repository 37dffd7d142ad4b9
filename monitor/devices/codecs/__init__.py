"""The catalogue of devices: one line each. What a codec says of a device it repeats for as long as it is true.

A `Notice` stands for one frame: a frame that no longer carries it has withdrawn it.
"""

from monitor.devices.codecs import dinamap, masimo_ascii1, nellcor_ascii
from monitor.devices.driver import Driver

DRIVERS: dict[str, Driver] = {
    driver.name: driver
    for driver in (
        masimo_ascii1.DRIVER,
        nellcor_ascii.DRIVER,
        dinamap.DRIVER,
    )
}
