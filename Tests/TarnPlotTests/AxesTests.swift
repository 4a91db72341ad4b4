import Testing

import TarnPlot

@Suite struct TickTests {
  private func labels(_ low: Double, _ high: Double, target: Int = 6) -> [String] {
    Ticks.linear(low, high, target: target).map(\.label)
  }

  @Test func linearTicksAreMultiplesOfOneTwoOrFive() {
    #expect(labels(0, 1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(-3, 7) == ["-2", "0", "2", "4", "6"])
    #expect(labels(0, 60_000, target: 3) == ["0", "20,000", "40,000", "60,000"])
    #expect(Ticks.linear(0, 1, target: 10).map(\.value)[3] == 0.3)
  }

  @Test func smallAndGreatNumbersAreScientific() {
    #expect(labels(0, 2e-5, target: 2) == ["0", "1×10⁻⁵", "2×10⁻⁵"])
    #expect(labels(0, 4e9, target: 2) == ["0", "2×10⁹", "4×10⁹"])
  }

  @Test func neighboursOfAGreatNumberAreToldApart() {
    let all = labels(1_000_000, 1_000_001, target: 5)
    #expect(all.count == Set(all).count)
    #expect(all.first == "1,000,000.0")
  }

  @Test func wholeNumbersHaveNoFractionsBetween() {
    let ticks = Ticks.linear(0.9, 3.1, target: 8, wholeNumbers: true)
    #expect(ticks.map(\.label) == ["1", "2", "3"])
  }

  @Test(arguments: [(0.0, 0.0), (1.0, 0.0), (0.0, .infinity), (.nan, 1.0)])
  func impossibleSpansHaveNone(low: Double, high: Double) {
    #expect(Ticks.linear(low, high, target: 5).isEmpty)
    #expect(Ticks.logarithmic(low, high, target: 5).isEmpty)
  }

  @Test func ticksLieInsideAndAreFew() {
    for exponent in stride(from: -300, through: 300, by: 7) {
      let unit = Double("1e\(exponent)") ?? 1
      let ticks = Ticks.linear(-1.7 * unit, 3.3 * unit, target: 6)
      #expect((3...7).contains(ticks.count))
      #expect(ticks.allSatisfy { $0.value >= -1.7001 * unit && $0.value <= 3.3001 * unit })
    }
  }

  @Test func logarithmicTicksArePowersOfTen() {
    let ticks = Ticks.logarithmic(0.005, 2000, target: 6)
    #expect(ticks.map(\.label).filter { !$0.isEmpty } == ["0.01", "0.1", "1", "10", "100", "1000"])
    let five = Ticks.logarithmic(0.05, 2000, target: 6)
    #expect(five.contains { $0.value == 20 && $0.label.isEmpty })
  }

  @Test func manyDecadesAreThinnedAtRoundExponents() {
    let ticks = Ticks.logarithmic(1e-300, 1e300, target: 8)
    let shown = ["10⁻³⁰⁰", "10⁻²⁰⁰", "10⁻¹⁰⁰", "10⁰", "10¹⁰⁰", "10²⁰⁰", "10³⁰⁰"]
    #expect(ticks.map(\.label) == shown)
  }

  @Test func oneDecadeHasTicksBetween() {
    let two = Ticks.logarithmic(0.3, 25, target: 6).map(\.label).filter { !$0.isEmpty }
    #expect(two == ["0.5", "1", "2", "5", "10", "20"])
    #expect(Ticks.logarithmic(2.2, 9, target: 6).map(\.label) == ["4", "6", "8"])
  }
}

@Suite struct ScaleTests {
  @Test func constantDataGetRoom() throws {
    let scale = try #require(Scale(Axis(), data: 4...4, padding: 0.05))
    #expect(scale.low == 2 && scale.high == 6)
    let zero = try #require(Scale(Axis(), data: 0...0, padding: 0.05))
    #expect(zero.low == -1 && zero.high == 1)
  }

  @Test func theGreatestNumbersDoNotOverflow() throws {
    let most = Double.greatestFiniteMagnitude
    let scale = try #require(Scale(Axis(), data: -most...most, padding: 0.05))
    #expect((scale.high - scale.low).isFinite)
    #expect(scale.position(0) == 0.5)
  }

  @Test func logarithmsNeedPositiveNumbers() throws {
    #expect(Scale(Axis(scale: .log), data: -2...0, padding: 0) == nil)
    let scale = try #require(Scale(Axis(scale: .log), data: 1...100, padding: 0))
    #expect(scale.position(10) == 0.5)
    #expect(scale.position(-1).isNaN)
    #expect(scale.position(.infinity).isNaN)
  }
}

@Suite struct NumberTextTests {
  @Test(arguments: [
    (0.0, "0"), (1.0, "1"), (0.97312, "0.9731"), (12_450.4, "12,450"), (3.2e-7, "3.2×10⁻⁷"),
    (-2.5, "-2.5"), (999_999, "1×10⁶"), (123_456, "123,456"), (0.99999, "1"), (1e100, "1×10¹⁰⁰"),
    (.nan, "NaN"),
    (-.infinity, "-∞"), (0.0001234, "0.0001234"),
  ])
  func shortForm(value: Double, text: String) {
    #expect(NumberText.short(value, digits: 4) == text)
  }

  @Test func fixedForm() {
    #expect(NumberText.fixed(-0.001, decimals: 2) == "0.00")
    #expect(NumberText.fixed(-1_234_567.5, decimals: 1) == "-1,234,567.5")
    #expect(NumberText.fixed(1234, decimals: 0) == "1234")
    #expect(NumberText.percent(0.9731) == "97.3 %")
  }
}
