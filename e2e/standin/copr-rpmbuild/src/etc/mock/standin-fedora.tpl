# Common to the chroots of the stand-in: the packages come from this image itself, so there is no repository.
config_opts['target_arch'] = 'x86_64'
config_opts['chroot_setup_cmd'] = ''
config_opts['dnf.conf'] = ''
# Mock's image comes from a registry; this one is in the package. Mock falls back to a chroot of its own making after two
# minutes: here that fails, so that nobody has to look at the time that a build takes.
config_opts['bootstrap_image'] = 'oci-archive:/usr/share/standin-chroot/bootstrap.tar'
config_opts['bootstrap_image_keep_getting'] = 5
config_opts['bootstrap_image_fallback'] = False
