using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>A name says what a thing is; these words say that nobody knew.</summary>
public sealed partial class NamesTests
{
    private static readonly string[] Empty = ["util", "utils", "utility", "utilities", "helper", "helpers", "common", "manager", "managers", "misc"];

    [Fact]
    public void No_type_has_an_empty_name() =>
        Assert.Empty(Assemblies.Types.Concat(TestTypes).Where(type => !type.Name.StartsWith('<')).Where(type => Words(type.Name).Intersect(Empty).Any()).Select(type => type.FullName));

    [Fact]
    public void No_file_or_folder_has_an_empty_name() =>
        Assert.DoesNotContain(Repository.Sources.Concat(Repository.Tests).Select(file => file.Path), path => Words(path).Intersect(Empty).Any());

    [Theory]
    [InlineData("StringHelper", true)]
    [InlineData("HelperOfStrings", true)]
    [InlineData("IMAPUtils", true)]
    [InlineData("src/Common/Names.cs", true)]
    [InlineData("SessionManager`1", true)]
    [InlineData("Utilization", false)]
    [InlineData("Commons", false)]
    [InlineData("Managed", false)]
    public void Whole_words_count(string name, bool isEmpty) => Assert.Equal(isEmpty, Words(name).Intersect(Empty).Any());

    private static IEnumerable<Mono.Cecil.TypeDefinition> TestTypes =>
        Mono.Cecil.AssemblyDefinition.ReadAssembly(typeof(NamesTests).Assembly.Location).MainModule.GetTypes();

    private static IEnumerable<string> Words(string name) => Word().Matches(name).Select(match => match.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+")]
    private static partial Regex Word();
}
