import TarnCore

struct FirstLayerStub {}
