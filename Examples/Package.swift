// swift-tools-version: 6.2
import PackageDescription

func lesson(_ name: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["Lesson", .product(name: "Tarn", package: "Tarn")], path: name,
    swiftSettings: [.treatAllWarnings(as: .error)])
}

let package = Package(
  name: "Examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "Tarn", path: "..")],
  targets: [
    .target(
      name: "Lesson", dependencies: [.product(name: "Tarn", package: "Tarn")], path: "Lesson",
      swiftSettings: [.treatAllWarnings(as: .error)]),
    lesson("Bowl"),
    lesson("LinearRegression"),
    lesson("OwnLibrary"),
    lesson("MultiClass"),
    lesson("Regression"),
    lesson("MNISTMLP"),
    lesson("Derivatives"),
    lesson("CustomLayer"),
    lesson("BabyNames"),
    lesson("Shakespeare"),
    lesson("LaTeX"),
    lesson("CSource"),
    lesson("DigitWords"),
    lesson("Languages"),
    lesson("Tagging"),
    lesson("Dates"),
  ],
  swiftLanguageModes: [.v6]
)
