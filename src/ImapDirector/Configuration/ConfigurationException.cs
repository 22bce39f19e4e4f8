namespace ImapDirector.Configuration;

/// <summary>The configuration cannot be used. Each error is one sentence that names the key, the value and the fix, and shows no secret.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public ConfigurationException(string error)
        : this([error])
    {
    }

    public IReadOnlyList<string> Errors => errors;
}
