// One import for users. Linking TarnCPU registers the CPU engine when the program starts.
@_exported import TarnCPU
@_exported import TarnCore
@_exported import TarnData
@_exported import TarnExchange
@_exported import TarnInterop
@_exported import TarnModels
@_exported import TarnNN
@_exported import TarnPlot
@_exported import TarnText
@_exported import TarnTrain
@_exported import TarnVision
