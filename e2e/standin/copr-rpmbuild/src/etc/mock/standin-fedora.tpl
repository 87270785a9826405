# Common to the chroots of the stand-in: the packages come from this image itself, so there is no repository.
config_opts['target_arch'] = 'x86_64'
config_opts['chroot_setup_cmd'] = ''
config_opts['dnf.conf'] = ''
