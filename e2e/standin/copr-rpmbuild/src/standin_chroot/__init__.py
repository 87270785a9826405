"""Stand-in for Mock's simple isolation: an RPM build in a chroot of its own.

The chroot is made with unshare(2), mount(2) and chroot(2) and the build runs as an
unprivileged user in it, so that a builder needs the same rights as with Mock.
"""
