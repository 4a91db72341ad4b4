import TarnCore
import TarnPlot

/// The page that a training run leaves behind: key figures, curves, mistakes, first filters, settings.
///
/// All of it is plain values; what is nil or empty is left out of the page.
///
/// ```swift
/// var report = TrainingReport(title: "MNIST", history: history)
/// try report.addClassification(of: model, on: test, classes: classes)
/// try report.page().write(to: run.url("index.html").path)
/// ```
public struct TrainingReport: Sendable {
  /// A line of the table of settings.
  public struct Setting: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      (self.name, self.value) = (name, value)
    }
  }

  /// A sample that the model got wrong.
  public struct Mistake: Sendable, Hashable {
    /// The picture, [channels, height, width] row by row, with 1 or 3 channels.
    public var pixels: [Double]
    public var shape: [Int]
    public var predicted: String
    public var actual: String
    /// −log of the probability given to the actual class.
    public var loss: Double

    /// What is shown as black and as white: 0 and 1, unless the pixels were normalised.
    var range: ClosedRange<Double> {
      guard let low = pixels.min(), let high = pixels.max(), low < -0.01 || high > 1.01 else {
        return 0...1
      }
      return low...max(high, low + 1e-6)
    }
  }

  /// What the units of the first layer look for, as pictures.
  public struct Filters: Sendable, Hashable {
    /// [count, height, width].
    public var values: [Double]
    public var count: Int
    public var height: Int
    public var width: Int
    /// The parameter's path, and how many of its rows are shown.
    public var name: String
  }

  /// A model of two features over the plane of both.
  public struct Plane: Sendable, Hashable {
    /// Probabilities, [rows, columns, classes], row 0 at the bottom.
    public var probabilities: [Double]
    public var rows: Int
    public var columns: Int
    public var x: Feature
    public var y: Feature
    /// The samples.
    public var points: [Point]
    public var classes: [String]

    public struct Feature: Sendable, Hashable {
      public var name: String
      public var low: Double
      public var high: Double
    }

    public struct Point: Sendable, Hashable {
      public var x: Double
      public var y: Double
      public var label: Int
    }
  }

  /// Numbers predicted and as they were.
  public struct Fit: Sendable, Hashable {
    public var actual: [Double]
    public var predicted: [Double]
    public var name: String

    public init(actual: [Double], predicted: [Double], name: String) {
      (self.actual, self.predicted, self.name) = (actual, predicted, name)
    }
  }

  public var title: String
  public var subtitle: String
  /// Shown large at the top, in this order.
  public var figures: [HTMLReport.Tile] = []
  public var history: History
  public var settings: [Setting] = []
  public var confusion: ConfusionMatrix?
  /// Those of highest loss first.
  public var mistakes: [Mistake] = []
  public var filters: Filters?
  public var plane: Plane?
  public var fit: Fit?
  /// Layers, shapes and parameters.
  public var summary: String = ""
  /// How to go on: commands, say.
  public var next: [String] = []
  public var footer: String = ""

  public init(title: String, subtitle: String = "", history: History) {
    (self.title, self.subtitle, self.history) = (title, subtitle, history)
  }

  /// The page.
  public func page() -> HTMLReport {
    var page = HTMLReport(title, subtitle: subtitle)
    page.tiles = figures
    for section in [learning, planeSection, fitSection, confusionSection, mistakeSection] {
      if let section { page.add(section) }
    }
    for section in [weightSection, modelSection, settingSection] {
      if let section { page.add(section) }
    }
    page.footer = footer
    return page
  }
}
