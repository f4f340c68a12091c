"""`takopi plugins`: which engines there are, where they come from, and which cannot be used."""

__all__ = ["plugins"]


def plugins() -> None:
    """List the engines with the place each comes from, and the plug-ins that cannot be used."""
    from takopi.app.engines import EngineShelf
    from takopi.app.home import locate_home
    from takopi.engines import find_engines
    from takopi.errors import PluginError
    from takopi.settings import parse_settings

    home = locate_home()
    catalogue = find_engines(home.path)
    # The configuration is not looked at: a fault in it must not hide the plug-ins.
    shelf = EngineShelf(catalogue, parse_settings({}, home.config, {}))
    names = (*catalogue.ids, *(problem.id for problem in catalogue.problems))
    width = max((len(name) for name in names), default=0)
    for engine in catalogue.ids:
        try:
            shelf.backend(engine)
            state = f"✓ {catalogue.place(engine)}"
        except PluginError as error:  # its text has the place
            state = f"✗ {error}"
        print(f"{engine:<{width}}  {state}")
    for problem in catalogue.problems:
        print(f"{problem.id:<{width}}  ✗ {problem.told}")
