"""The front door: settings, command line, HTTP app and the wiring of the stages."""
