// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "TarnBenchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Tarn", path: "..")],
  targets: [
    .executableTarget(
      name: "TarnBenchmarks", dependencies: [.product(name: "Tarn", package: "Tarn")],
      swiftSettings: [.treatAllWarnings(as: .error)])
  ],
  swiftLanguageModes: [.v6]
)
