"""The catalogue of devices: one line each.

A `Notice` stands for one frame: a codec repeats it for as long as it is true.
"""

from monitor.devices.codecs import (
    and_tm2655p,
    and_ua767pc,
    capnostream,
    contec_cms50,
    datex_dri,
    dinamap,
    dinamap_pro1000,
    hl7_pcd01,
    intellivue,
    ivy_ansarb,
    masimo_ascii1,
    mqtt_map,
    mqtt_native,
    nellcor_ascii,
    nonin_df2,
    par_nibp,
    suntech,
)
from monitor.devices.driver import Driver

DRIVERS: dict[str, Driver] = {
    driver.name: driver
    for driver in (
        masimo_ascii1.DRIVER,
        nellcor_ascii.DRIVER,
        dinamap.DRIVER,
        datex_dri.DRIVER,
        intellivue.DRIVER,
        nonin_df2.DRIVER,
        hl7_pcd01.DRIVER,
        contec_cms50.DRIVER,
        suntech.DRIVER,
        capnostream.DRIVER,
        ivy_ansarb.DRIVER,
        dinamap_pro1000.DRIVER,
        par_nibp.DRIVER,
        and_tm2655p.DRIVER,
        and_ua767pc.DRIVER,
        mqtt_native.DRIVER,
        mqtt_map.DRIVER,
    )
}
