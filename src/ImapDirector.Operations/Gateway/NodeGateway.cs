using ImapDirector.Network.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace ImapDirector.Operations.Gateway;

/// <summary><c>/nodes/{node}/…</c>: each node's own metrics and health, through YARP.</summary>
internal static class NodeGateway
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private const int MaxResponseHeaderKilobytes = 16;

    public static void Add(IServiceCollection services, NodeRoutes routes)
    {
        services.AddSingleton<IProxyConfigProvider>(routes);
        services.AddRequestTimeouts();
        services.AddReverseProxy()
            .ConfigureHttpClient(static (_, handler) =>
            {
                handler.ConnectTimeout = ConnectTimeout;
                handler.MaxResponseHeadersLength = MaxResponseHeaderKilobytes;
                handler.ActivityHeadersPropagator = null;
                handler.SslOptions = OutgoingTls.For(host: null, caFile: null);
            })
            .AddTransforms(CarryOnlyWhatIsNeeded);
        ReplaceKeyRing(services);
    }

    public static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapReverseProxy(static pipeline => { });

    // The two ends do not trust each other: cookies, credentials and X-Forwarded-… stay on this side, and a node cannot set cookies for it.
    private static void CarryOnlyWhatIsNeeded(TransformBuilderContext context)
    {
        context.UseDefaultForwarders = false;
        context.CopyResponseTrailers = false;
        context.AddRequestHeadersAllowed("Accept");
        context.AddResponseHeadersAllowed("Content-Type", "Content-Length");
        context.AddRequestTransform(static request =>
        {
            request.Query.Collection.Clear();
            return ValueTask.CompletedTask;
        });
    }

    // YARP asks for data protection, for a session affinity that is not used here. Its key ring would write below the home directory,
    // which a daemon may not have: keys in memory, and nobody who opens the ring at start.
    private static void ReplaceKeyRing(IServiceCollection services)
    {
        services.Replace(ServiceDescriptor.Singleton<IDataProtectionProvider>(static _ => new EphemeralDataProtectionProvider()));
        foreach (var opener in services.Where(static service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Namespace?.StartsWith("Microsoft.AspNetCore.DataProtection", StringComparison.Ordinal) == true).ToArray())
            services.Remove(opener);
    }
}
