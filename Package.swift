// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies + ["_TarnTestKit"],
    swiftSettings: strict)
}

let package = Package(
  name: "Tarn",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Tarn", targets: ["Tarn"]),
    .library(name: "TarnTestKit", targets: ["_TarnTestKit"]),
    .executable(name: "tarn", targets: ["TarnCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.7.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLAPACK", providers: [.apt(["liblapack-dev", "libblas-dev"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]
    ),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .target(
      name: "CTarnKernels", cSettings: strictC,
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(
      name: "CTarnDNN", dependencies: ["CTarnKernels"], cSettings: strictC,
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CTarnDigits", cSettings: strictC),
    .target(
      name: "CTarnFetch", cSettings: strictC,
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "CTarnHDF5", cSettings: strictC,
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "CTarnImages", dependencies: ["CJPEG", "CPNG"], cSettings: strictC,
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),

    module("TarnCore"),
    module("TarnCPU", ["TarnCore", "CTarnKernels", "CTarnDNN", "CLAPACK"]),
    module("TarnData", ["TarnCore", "CZlib", "CTarnDigits", "CTarnFetch"]),
    .target(
      name: "TarnSchemas",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["caffe.proto", "onnx.proto"], swiftSettings: strict),
    module("TarnInterop", ["TarnCore", "TarnData", "TarnSchemas", "CTarnHDF5", "CZlib"]),
    module("TarnNN", ["TarnCore", "TarnInterop"]),
    module("TarnVision", ["TarnNN", "TarnData", "CTarnImages", "CTarnKernels"]),
    module("TarnModels", ["TarnNN", "TarnData", "TarnInterop", "TarnVision"]),
    module("TarnExchange", ["TarnCore", "TarnData", "TarnNN", "TarnInterop", "TarnSchemas"]),
    module("TarnPlot", ["TarnCore"]),
    module("TarnTrain", ["TarnNN", "TarnData", "TarnInterop", "TarnModels", "TarnPlot"]),
    module("TarnText", ["TarnNN", "TarnData", "TarnInterop", "TarnPlot", "TarnTrain"]),
    module(
      "Tarn",
      [
        "TarnCore", "TarnCPU", "TarnData", "TarnExchange", "TarnInterop", "TarnModels", "TarnNN",
        "TarnPlot", "TarnText", "TarnTrain", "TarnVision",
      ]),
    module("TarnBench", ["Tarn", "CTarnKernels"]),
    .executableTarget(
      name: "TarnCommand",
      dependencies: [
        "Tarn", "TarnBench", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "CTarnFuzz", cSettings: strictC),
    .executableTarget(
      name: "TarnFuzz", dependencies: ["Tarn", "TarnSchemas", "CTarnFuzz"], swiftSettings: strict),
    .executableTarget(
      name: "TarnONNXCheck", dependencies: ["Tarn", "TarnExchange"], swiftSettings: strict),
    module("_TarnTestKit", ["Tarn"]),

    tests("TarnCore", ["Tarn"]),
    tests("TarnCPU", ["Tarn", "CTarnKernels", "CTarnDNN"]),
    tests("TarnData", ["Tarn"]),
    tests("TarnExchange", ["Tarn", "TarnSchemas"]),
    tests("TarnInterop", ["Tarn"]),
    tests("TarnModels", ["Tarn"]),
    tests("TarnNN", ["Tarn"]),
    tests("TarnPlot", ["Tarn"]),
    tests("TarnText", ["Tarn"]),
    tests("TarnTrain", ["Tarn"]),
    tests("TarnVision", ["Tarn"]),
    tests("TarnBench", ["Tarn", "TarnBench"]),
    tests("TarnCommand", ["Tarn", "TarnCommand"]),
    tests("Conformance", ["Tarn"]),
  ],
  swiftLanguageModes: [.v6]
)
